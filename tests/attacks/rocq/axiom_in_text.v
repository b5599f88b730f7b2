(* A text that proves its theorem from an axiom of its own. *)
(* name: goal *)
(* never: proved *)
Axiom magic : False.
Theorem goal : 1 = 2. Proof. destruct magic. Qed.
