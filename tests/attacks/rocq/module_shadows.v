(* Hides the theorem behind another one of its name in a module. *)
(* statement: False *)
(* never: proved *)
Module porism_goal. Theorem porism_goal : True. Proof. exact I. Qed. End porism_goal.
