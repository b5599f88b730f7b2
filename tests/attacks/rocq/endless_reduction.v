(* Never ends, in the kernel. *)
(* statement: Nat.pow 2 60 = 0 *)
(* never: proved *)
(* deadline: 1 *)
vm_compute. reflexivity.
