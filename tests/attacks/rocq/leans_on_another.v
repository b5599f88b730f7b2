(* Leans on a theorem that another candidate may have left behind. *)
(* statement: False *)
(* never: proved *)
exact porism_goal.
