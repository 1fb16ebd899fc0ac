"""One transaction of a sync, by what it concerns: ours, theirs, links, attempts, outcomes, proofs."""
