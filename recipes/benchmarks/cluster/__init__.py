"""Faults of workers, machines and disks during training tasks; scaling from one worker to two."""
