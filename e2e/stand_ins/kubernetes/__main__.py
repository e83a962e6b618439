"""Run the stand-in until it is interrupted."""

import argparse
import sys
import threading

from e2e.stand_ins.kubernetes.cluster import Cluster
from e2e.stand_ins.kubernetes.server import StandIn


def main() -> None:
    """Serve the deployments of the arguments."""
    parser = argparse.ArgumentParser(description="A Kubernetes API server without a cluster.")
    parser.add_argument("--port", type=int, default=6443)
    parser.add_argument("--token", default="cluster-token")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds for each step of a rollout")
    parser.add_argument("--deployment", action="append", default=[], help="namespace/name=replicas[,image]")
    options = parser.parse_args()
    cluster = Cluster(pace=options.pace)
    for text in options.deployment or ["shop/web=3"]:
        place, _, rest = text.partition("=")
        namespace, _, name = place.partition("/")
        replicas, _, image = rest.partition(",")
        cluster.add(namespace, name, replicas=int(replicas or 1), image=image or "web:1")
    with StandIn(cluster, {options.token: None}, options.port) as stand_in:
        sys.stdout.write(f"KUBERNETES_URL={stand_in.url} KUBERNETES_TOKEN={options.token}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
