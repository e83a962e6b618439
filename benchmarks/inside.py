"""`python -m benchmarks.inside`: `benchmarks.upkeep` on the data set that the environment names."""


def main() -> None:
    """Set Django up before anything of ours is imported."""
    import django

    django.setup()
    from benchmarks import upkeep

    upkeep.main()


if __name__ == "__main__":
    main()
