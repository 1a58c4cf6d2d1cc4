"""The crash campaign: real jobs through the real stack while everything dies, and a machine that counts the losses."""
