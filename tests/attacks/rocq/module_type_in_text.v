(* Hides the axiom in a module that is only declared. *)
(* name: goal *)
(* never: proved *)
Module Type T. Parameter magic : False. End T.
Declare Module M : T.
Theorem goal : 1 = 2. Proof. destruct M.magic. Qed.
