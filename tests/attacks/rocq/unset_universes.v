(* Switches the universe check off. *)
(* statement: False *)
(* never: proved *)
Unset Universe Checking. exact I.
