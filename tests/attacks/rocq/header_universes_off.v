(* The header switched universes off, and nobody has allowed that. *)
(* header: Unset Universe Checking. *)
(* statement: True *)
(* trust: 0 *)
exact (let x : Type := (Type : Type) in I).
