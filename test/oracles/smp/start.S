// All harts begin here, in machine mode, each with a stack of its own. An
// interrupt by another hart counts itself and clears its cause.

	.section .text.start, "ax"
	.globl _start
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	csrr	a0, mhartid
	la	sp, __stack_top
	slli	t0, a0, 14		// 16 KiB a hart
	sub	sp, sp, t0
	la	t0, interrupted
	csrw	mtvec, t0
	la	t0, calls
	slli	t1, a0, 3
	add	t0, t0, t1
	csrw	mscratch, t0
	call	hart_main
	j	.

	.balign 4
interrupted:
	addi	sp, sp, -32
	sd	t0, 0(sp)
	sd	t1, 8(sp)
	sd	t2, 16(sp)
	csrr	t0, mscratch
	ld	t1, 0(t0)
	addi	t1, t1, 1
	sd	t1, 0(t0)
	li	t0, 0x02000000		// CLINT: this hart's software interrupt
	csrr	t1, mhartid
	slli	t1, t1, 2
	add	t0, t0, t1
	sw	zero, 0(t0)
	ld	t0, 0(sp)
	ld	t1, 8(sp)
	ld	t2, 16(sp)
	addi	sp, sp, 32
	mret

// Hart 0 writes the first instruction anew, time and again.
	.balign 64
	.globl patched
patched:
	.option push
	.option norvc
	li	a0, 0
	ret
	.option pop

// What the runtime's traps would need; every trap goes to the code above.
	.globl trap_entry
trap_entry:
	j	.

	.bss
	.balign 8
	.globl calls
calls:	.zero	32
