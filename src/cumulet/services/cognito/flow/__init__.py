"""How somebody signs in: challenges, codes, triggers, sign-ins."""
