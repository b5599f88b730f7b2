(* Changes the folder that the process works in, for whoever comes next. *)
(* name: goal *)
(* never: proved *)
Cd "/". Theorem goal : True. Proof. exact I. Qed.
