(* Leaves Rocq for the OCaml beneath it. *)
(* name: goal *)
(* never: proved *)
Drop. Theorem goal : True. Proof. exact I. Qed.
