"""Wrong versions of the exercises of 10_rag, each of which learners write; `retrieval` names the cause."""
