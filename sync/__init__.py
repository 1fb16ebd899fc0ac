"""The product's mind: records, comparison, policies, mapping and use cases. No input or output happens here."""
