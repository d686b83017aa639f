"""Rules of S3 that need no storage: conditions, ACLs, CORS, websites, lifecycles, locks. Pure."""
