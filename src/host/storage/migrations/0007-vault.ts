/** Nothing yet: the number belongs to the vault. */
export const vault = 'SELECT 1;';
