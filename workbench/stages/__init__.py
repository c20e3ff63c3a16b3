"""One folder per stage of the flow: pull, approve, push, reconcile. Stages never import each other."""
