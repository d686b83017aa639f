"""Hosts: machines that their owner runs, seen as EC2 instances and reached by Run Command.

A host is registered, never made: no operation here brings a machine into being.
"""
