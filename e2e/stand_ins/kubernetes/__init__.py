"""A Kubernetes API server without a cluster: workloads, their scale, ReplicaSets and disruption budgets.

`python -m e2e.stand_ins.kubernetes --port 6443 --deployment shop/web=3` runs one. A deployment whose image ends with
`:broken` never becomes available, and exceeds its progress deadline.
"""
