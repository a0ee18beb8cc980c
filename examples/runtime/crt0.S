// Where a bare-metal guest begins: the board jumps to the first byte of RAM in
// machine mode. Sets up the stack, the trap vector and .bss, then calls main
// and ends the guest with what main returned.

	.cfi_sections .debug_frame
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra		// the outermost frame has no caller
	csrr	t0, mhartid
	bnez	t0, park		// one hart runs the guest; the others sleep
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	la	sp, __stack_top
	la	t0, trap_entry
	csrw	mtvec, t0
	li	t0, 0x2000		// mstatus.FS = initial: floating point on
	csrs	mstatus, t0

	la	t0, __bss_start
	la	t1, __bss_end
	j	2f
1:	sd	zero, 0(t0)
	addi	t0, t0, 8
2:	bltu	t0, t1, 1b

	call	main
	call	guest_exit
park:
	wfi
	j	park
	.cfi_endproc
	.size _start, . - _start

// Saves what a C function may change, calls trap_handler(mcause, mepc, mtval)
// and goes back to the interrupted instruction. Handlers use no floating point.
	.section .text.trap, "ax"
	.globl trap_entry
	.type trap_entry, @function
	.balign 4
trap_entry:
	.cfi_startproc
	.cfi_signal_frame
	addi	sp, sp, -128
	.cfi_def_cfa_offset 128
	sd	ra, 0(sp)
	.cfi_offset ra, -128
	sd	t0, 8(sp)
	sd	t1, 16(sp)
	sd	t2, 24(sp)
	sd	a0, 32(sp)
	sd	a1, 40(sp)
	sd	a2, 48(sp)
	sd	a3, 56(sp)
	sd	a4, 64(sp)
	sd	a5, 72(sp)
	sd	a6, 80(sp)
	sd	a7, 88(sp)
	sd	t3, 96(sp)
	sd	t4, 104(sp)
	sd	t5, 112(sp)
	sd	t6, 120(sp)
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	call	trap_handler
	ld	ra, 0(sp)
	ld	t0, 8(sp)
	ld	t1, 16(sp)
	ld	t2, 24(sp)
	ld	a0, 32(sp)
	ld	a1, 40(sp)
	ld	a2, 48(sp)
	ld	a3, 56(sp)
	ld	a4, 64(sp)
	ld	a5, 72(sp)
	ld	a6, 80(sp)
	ld	a7, 88(sp)
	ld	t3, 96(sp)
	ld	t4, 104(sp)
	ld	t5, 112(sp)
	ld	t6, 120(sp)
	addi	sp, sp, 128
	.cfi_def_cfa_offset 0
	mret
	.cfi_endproc
	.size trap_entry, . - trap_entry
