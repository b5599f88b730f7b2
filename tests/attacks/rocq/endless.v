(* Never ends. *)
(* statement: False *)
(* never: proved *)
(* deadline: 1 *)
repeat (assert True by exact I).
