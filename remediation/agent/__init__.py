"""Jobs of agents: how they are signed, and what the agent's answer means."""
