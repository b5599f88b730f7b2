(* Leaves a section open, so that its hypothesis looks proved. *)
(* name: goal *)
(* never: proved *)
Section s. Context (magic : False).
Theorem goal : 1 = 2. Proof. destruct magic. Qed.
