"""Wrong versions of the exercises of 10b_rag_quality, each of which learners write; `rag_quality` names the cause."""
