"""The process that raises numbers to powers for SRP: one line in, one line out.

It runs apart because a power in Python holds the interpreter for twenty milliseconds, in which the
cloud would answer nobody; and below everybody else, so that a storm of sign-ins takes what is left.
It imports nothing of ours, and ends when its input does.
"""

import os
import sys


def main() -> None:
    """Answer `modulus base exponent`, in hexadecimal, with the power."""
    os.nice(5)
    for line in sys.stdin:
        modulus, base, exponent = (int(part, 16) for part in line.split())
        print(f"{pow(base, exponent, modulus):x}", flush=True)


if __name__ == "__main__":
    main()
