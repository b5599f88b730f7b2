(* Ends the process. *)
(* name: goal *)
(* never: proved *)
Theorem goal : True. Proof. exact I. Qed. Quit.
