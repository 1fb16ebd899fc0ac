"""What all pages share: who looks at them, how they are made, and what they look like."""
