(* A string with a comment's beginning, so that a splitter may swallow what Rocq reads. *)
(* statement: False *)
(* never: proved *)
idtac "(*". Admitted. idtac "*)".
