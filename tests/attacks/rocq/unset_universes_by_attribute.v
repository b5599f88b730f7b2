(* Does so with an attribute, before a command that looks harmless. *)
(* statement: False *)
(* never: proved *)
#[bypass_check(universes)] Definition d := Type. exact I.
