"""Small experiments whose truth is known: what an audit can find, tried where the answer is on paper."""
