from responders.services.teams import add_member, make_only_default, remove_member

__all__ = ["add_member", "make_only_default", "remove_member"]
