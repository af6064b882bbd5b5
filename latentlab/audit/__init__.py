"""Studies of what a model does to groups: each a table with a row an image and a table with a row a group."""
