"""The comparison of hand-written schedules with those of autoschedulers, which bench/experiments.py starts."""
