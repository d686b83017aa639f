"""The child side: what runs inside the processes of an environment. Imports no other part of ours.

Run by whatever interpreter a function asks for, so: standard library only, Python 3.9 upwards.
"""
