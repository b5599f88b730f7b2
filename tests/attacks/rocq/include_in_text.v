(* Includes a module type, whose parameters then are there without being given. *)
(* name: goal *)
(* never: proved *)
Module Type T. Parameter magic : False. End T.
Module M. Include T. End M.
Theorem goal : 1 = 2. Proof. destruct M.magic. Qed.
