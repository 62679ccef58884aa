"""The gate on a device: what is measured, accepted, kept and said."""
