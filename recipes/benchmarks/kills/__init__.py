"""Runs that are killed at random moments and started again: do they end as if never stopped?"""
