(* The same, where a splitter may not see the end of the sentence. *)
(* statement: False *)
(* never: proved *)
idtac.(* a comment *)Admitted.
