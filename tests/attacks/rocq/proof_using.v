(* Sets defaults of later proofs. *)
(* statement: True *)
(* never: proved *)
Set Default Proof Using "All". exact I.
