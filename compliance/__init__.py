"""Evidence and duty: the tamper-evident log of every service, its keys, and what the law asks.

Gathers what every service holds of a patient who asks for it.

Owns the logs (one tree per organization, and the platform's), their checkpoints and the keys
under which their sealed parts stand. Never reads another service's tables, never changes a leaf.
"""
