(* Ends our proof, and begins a theorem that is easier. *)
(* statement: False *)
(* never: proved *)
Abort. Theorem porism_goal : True. Proof. exact I. Qed.
