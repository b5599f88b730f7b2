(* Puts a folder of its own before the library. *)
(* name: goal *)
(* never: proved *)
Add Rec LoadPath "/tmp" as Coq. Theorem goal : True. Proof. exact I. Qed.
