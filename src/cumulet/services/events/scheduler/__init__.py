"""EventBridge Scheduler: schedules in groups, each with a target that is invoked at its times."""
