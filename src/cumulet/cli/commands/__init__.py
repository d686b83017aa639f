"""The commands, one file each; `cli/main.py` lists them."""
