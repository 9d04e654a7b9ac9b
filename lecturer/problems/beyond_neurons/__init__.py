"""Four problems on gates and attention: two transformers, a channel read twice, a step, a decay."""
