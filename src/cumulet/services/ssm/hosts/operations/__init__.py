"""The operations on hosts: EC2's few, and Run Command's."""
