"""The words of lessons' session blocks: what each takes, needs, and does to the session."""
