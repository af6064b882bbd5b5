"""Work that goes on in a process of its own, with a folder that tells how it stands."""
