(* A cast that is left to the virtual machine. *)
(* statement: 1 = 2 *)
(* never: proved *)
vm_cast_no_check (eq_refl 1).
