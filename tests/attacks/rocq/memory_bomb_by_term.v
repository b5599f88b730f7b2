(* Takes all memory that there is, with one number. *)
(* statement: False *)
(* never: proved *)
(* deadline: 20 *)
let x := eval vm_compute in (Nat.pow 2 27) in pose x. exact I.
