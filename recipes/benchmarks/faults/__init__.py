"""Full disks, missing rights and other faults of files: what becomes of each command's output?"""
