"""Checkers for "The pairing theorem": how imbalance decays, other penalties, an experiment."""
