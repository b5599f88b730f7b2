(* Proves a theorem of another name. *)
(* name: goal *)
(* never: proved *)
Theorem gaol : True. Proof. exact I. Qed.
