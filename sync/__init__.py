"""The product's mind: records, comparison, policies, use cases. No I/O."""
