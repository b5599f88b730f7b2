(* Switches the positivity check off. *)
(* statement: False *)
(* never: proved *)
Unset Positivity Checking. exact I.
